package importer

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// emailFault tells what is wrong with an address, or "" when it is one plain
// address: no display name, no quoted local part, one @, nothing to be escaped
// (S34). The address is kept as typed and never folded (S33).
func emailFault(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case s == "":
		return "missing"
	case len(s) > 254 || len(local) > 64:
		return "too long for an address"
	case !ok || local == "" || domain == "":
		return "not an address"
	case strings.Contains(domain, "@"):
		return "has more than one @"
	case strings.ContainsFunc(s, strangeInEmail):
		return "has a character that plain addresses do not have"
	}
	// net/mail also takes display names and quoted parts, and normalizes them;
	// only what it leaves as it is was plain.
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || !domainLike(domain) {
		return "not an address"
	}
	return ""
}

// strangeInEmail finds what could end a header, start another address or hide.
func strangeInEmail(r rune) bool {
	return r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		strings.ContainsRune("\"(),:;<>[\\]", r)
}

// domainLike tells whether s is labels with dots between them.
func domainLike(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, notInLabel) {
			return false
		}
	}
	return true
}

func notInLabel(r rune) bool {
	return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
}

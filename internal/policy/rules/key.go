package rules

import "encoding/binary"

// AppendKey appends the canonical encoding of the input to dst. Two inputs have
// the same encoding exactly when they are equal: each part is typed and strings
// carry their length, so that no two neighbours can be cut differently, and
// numbers are their literals, because 1, 1.0 and 1e0 are different to a rule that
// prints them (S12).
func (in *Input) AppendKey(dst []byte) []byte {
	for _, s := range [...]string{
		in.Action.Name, in.Action.Category, in.Action.Effect,
		in.Subject.Type, in.Subject.Kind, in.Subject.Status,
		in.Grant.State, in.Grant.InScope, in.Grant.Subscribed,
		in.Account.Status,
		in.Session.Acting, in.Session.Actor,
		in.Resource.Member,
	} {
		dst = appendText(dst, s)
	}
	for _, b := range [...]bool{
		in.Action.Sensitive, in.Subject.StaffMay,
		in.Grant.Holds,
		in.Account.MFARequired,
		in.Session.MFA, in.Session.MFAFresh,
		in.Resource.Own,
	} {
		dst = appendBool(dst, b)
	}
	dst = binary.AppendUvarint(dst, uint64(len(in.Has)))
	for _, b := range in.Has {
		dst = appendBool(dst, b)
	}
	dst = binary.AppendUvarint(dst, uint64(len(in.Request)))
	for _, v := range in.Request {
		dst = appendText(dst, string(v.Type))
		dst = appendText(dst, v.Text)
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

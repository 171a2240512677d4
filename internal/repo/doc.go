// Package repo checks what no single package can: that the repository as a whole
// keeps the promises it makes to its readers.
//
// It holds tests only: imports follow the arrows of docs/architecture.md, every
// package says what it is for, files and functions stay small, the tools match
// the product, and docs/requirements.md names the tests that hold each
// requirement. It knows no behaviour of Doorward.
package repo

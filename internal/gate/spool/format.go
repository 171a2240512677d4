package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"doorward/internal/gate"
)

// The file begins with a header: magic, the spool's name, the number of the first record
// after it, and a checksum. Then come records: length, data, checksum. They are numbered
// in order. The last may be cut: it was never said to be kept.
const (
	magic      = "doorward spool 1\n"
	nameSize   = 26 // of rand.Text
	headerSize = len(magic) + nameSize + 8 + 4
	maxRecord  = 64 << 10
)

var errNoSpool = errors.New("not a spool, or not whole")

type header struct {
	name string
	next uint64
}

func (h header) append(dst []byte) []byte {
	from := len(dst)
	dst = append(dst, magic...)
	dst = append(dst, h.name...)
	dst = binary.BigEndian.AppendUint64(dst, h.next)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[from:]))
}

func recordSize(r gate.Record) int64 { return int64(4 + len(r.Data) + 4) }

// appendRecord appends a record. Its checksum covers its number, which is not written.
func appendRecord(dst []byte, r gate.Record) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Data)))
	dst = append(dst, r.Data...)
	return binary.BigEndian.AppendUint32(dst, checksum(r))
}

func checksum(r gate.Record) uint32 {
	sum := crc32.ChecksumIEEE(binary.BigEndian.AppendUint64(nil, r.Seq))
	return crc32.Update(sum, crc32.IEEETable, r.Data)
}

// parse reads a file. Records end at the first that is not whole.
func parse(data []byte) (h header, kept []gate.Record, err error) {
	if len(data) < headerSize || string(data[:len(magic)]) != magic ||
		crc32.ChecksumIEEE(data[:headerSize-4]) != binary.BigEndian.Uint32(data[headerSize-4:]) {
		return header{}, nil, errNoSpool
	}
	h.name = string(data[len(magic) : len(magic)+nameSize])
	h.next = binary.BigEndian.Uint64(data[headerSize-12:])
	for data = data[headerSize:]; len(data) >= 8; {
		n := binary.BigEndian.Uint32(data)
		if n > maxRecord || int(n) > len(data)-8 {
			break
		}
		r := gate.Record{Seq: h.next, Data: append([]byte(nil), data[4:4+n]...)}
		if checksum(r) != binary.BigEndian.Uint32(data[4+n:]) {
			break
		}
		kept = append(kept, r)
		h.next++
		data = data[8+n:]
	}
	return h, kept, nil
}

package simulation

import (
	"encoding/binary"
	"slices"

	"doorward/internal/gate"
)

// spool keeps records on a sidecar's disk, which has room for a few.
type spool struct {
	name    string
	records []gate.Record
	added   map[uint64]uint64 // the number of each decision's record
}

const spoolRoom = 4

func (s *spool) Name() string { return s.name }

func (s *spool) Add(all ...[]byte) error {
	if len(s.records)+len(all) > spoolRoom {
		return gate.ErrSpoolFull
	}
	for _, data := range all {
		seq := uint64(len(s.added) + 1)
		s.added[binary.BigEndian.Uint64(data)] = seq
		s.records = append(s.records, gate.Record{Seq: seq, Data: data})
	}
	return nil
}

func (s *spool) Oldest(limit int) []gate.Record {
	return append([]gate.Record(nil), s.records[:min(limit, len(s.records))]...)
}

func (s *spool) Stored(seq uint64) error {
	for len(s.records) > 0 && s.records[0].Seq <= seq {
		s.records = s.records[1:]
	}
	return nil
}

// holds tells whether a decision is kept, on the disk or in a directory.
func (s *spool) holds(decision uint64, v *version) bool {
	seq, ok := s.added[decision]
	return ok && (v.kept[s.name][seq] || slices.ContainsFunc(s.records, func(r gate.Record) bool { return r.Seq == seq }))
}

package pebble

import "weir/internal/fault"

// Parts estimates the bytes on disk of what the store holds, by kind. It leaves out what is in the log only, and costs
// about as much as a few reads.
func (s *Store) Parts() (map[string]uint64, error) {
	out := map[string]uint64{}
	for name, prefixes := range map[string]string{
		"spans":  string([]byte{prefixSpan, prefixTrace, prefixUsage}),
		"bodies": string([]byte{prefixBlob, prefixData, prefixNode}),
		"texts":  string([]byte{prefixText}),
		"ledger": string([]byte{prefixLedger, prefixCharge}),
	} {
		for _, p := range []byte(prefixes) {
			n, err := s.db.EstimateDiskUsage([]byte{p}, []byte{p + 1})
			if err != nil {
				return nil, fault.Wrap(fault.Internal, err, "sizes of the trace store are unknown")
			}
			out[name] += n
		}
	}
	return out, nil
}

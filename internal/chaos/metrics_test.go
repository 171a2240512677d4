package chaos

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// scrape reads the metrics of a process.
func (s *scene) scrape(p *process) (map[string]float64, error) {
	response, err := s.asking.Get("http://" + p.address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s/metrics: %s", p.name, response.Status)
	}
	all := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			all[name] = n
		}
	}
	return all, lines.Err()
}

// A tally is what sidecars counted themselves, also those that are gone by now.
type tally map[string]float64

// tallied are the metrics that a tally has.
var tallied = []string{"doorward_gate_reads_total", "doorward_shared_finds_total", "doorward_shared_fills_total", "doorward_gate_asks_total"}

// tally adds the metrics of a sidecar that is about to end. What it counts after this is
// lost, so the sums are rather too small.
func (s *scene) tally(p *process) {
	all, err := s.scrape(p)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, n := range all {
		for _, wanted := range tallied {
			if strings.HasPrefix(name, wanted) {
				s.sums[name] += n
			}
		}
	}
}

func (t tally) of(name, label, value string) int {
	return int(t[fmt.Sprintf("%s{%s=%q}", name, label, value)])
}

func (t tally) reads(from string) int   { return t.of("doorward_gate_reads_total", "from", from) }
func (t tally) finds(result string) int { return t.of("doorward_shared_finds_total", "result", result) }

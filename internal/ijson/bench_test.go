package ijson

import (
	"encoding/json"
	"testing"
)

const (
	small = `{"subject":{"type":"user","id":"anna"},"action":{"name":"invoice.pay"},"resource":{"type":"account","id":"1001"},"context":{"a":"b"}}`
	large = `{"subject":{"type":"user","id":"anna","properties":{"department":"books"}},"action":{"name":"invoice.pay","properties":{"method":"card"}},"resource":{"type":"invoice","id":"2024-17","properties":{"account":"1001"}},"context":{"amr":["pwd","otp"],"auth_time":1760000000}}`
)

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, body string }{{"small", small}, {"large", large}} {
		body := []byte(c.body)
		b.Run(c.name+"/ijson", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(body); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var v map[string]any
				if err := json.Unmarshal(body, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package cli

import (
	"html/template"

	"doorward/internal/policytool"
)

// matrixPage is one page without scripts and without anything fetched. What a cell
// means stands in it as a word, so it needs neither colour nor sight.
var matrixPage = template.Must(template.New("matrix").Funcs(template.FuncMap{
	"plain": plain, "title": matrixTitle, "mark": mark, "answer": answer, "add": func(a, b int) int { return a + b },
}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Doorward: which preset may do what</title>
<style>
body { font: 1rem/1.4 system-ui, sans-serif; margin: 2rem; }
table { border-collapse: collapse; margin-bottom: 2rem; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { border: 1px solid #767676; padding: .2rem .5rem; text-align: left; }
thead th { position: sticky; top: 0; background: #fff; }
tbody th[scope=rowgroup] { background: #eee; }
td small { display: block; }
</style>
</head>
<body>
<h1>Which preset may do what</h1>
<p>{{.Meaning}}</p>
{{- range .Matrices}}
{{- $columns := add (len .Presets) 1}}
<table>
<caption>{{title . | plain}}</caption>
<thead>
<tr><th scope="col">Action</th>{{range .Presets}}<th scope="col">{{plain .}}</th>{{end}}</tr>
</thead>
{{- range .Groups}}
<tbody>
<tr><th scope="rowgroup" colspan="{{$columns}}">{{plain .Label}} ({{plain .Name}})</th></tr>
{{- range .Rows}}
<tr><th scope="row">{{plain .Action}}</th>{{range .Answers}}<td><span aria-hidden="true">{{mark .}}</span> <small>{{answer .}}</small></td>{{end}}</tr>
{{- end}}
</tbody>
{{- end}}
</table>
{{- end}}
</body>
</html>
`))

func (p *Process) matrixHTML(matrices []policytool.Matrix) error {
	return matrixPage.Execute(p.Stdout, map[string]any{"Meaning": matrixMeaning, "Matrices": matrices})
}

// matrixJSON prints the answers by action and preset: allow, or the reason.
func (p *Process) matrixJSON(matrices []policytool.Matrix) error {
	type row struct {
		Action   string            `json:"action"`
		Category string            `json:"category"`
		Answers  map[string]string `json:"answers"`
	}
	type matrix struct {
		Profile string   `json:"profile,omitempty"` // absent: what provider.yaml says
		Presets []string `json:"presets"`
		Actions []row    `json:"actions"`
	}
	var all []matrix
	for _, m := range matrices {
		out := matrix{Profile: m.Profile, Presets: m.Presets}
		for _, g := range m.Groups {
			for _, r := range g.Rows {
				answers := map[string]string{}
				for i, v := range r.Answers {
					answers[m.Presets[i]] = answer(v)
				}
				out.Actions = append(out.Actions, row{r.Action, g.Name, answers})
			}
		}
		all = append(all, out)
	}
	return p.printJSON(map[string]any{"matrices": all})
}

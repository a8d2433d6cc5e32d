{{/* Labels by which pods of a part are selected; they never change. Given the part: companion or api. */}}
{{- define "deckwatch.selector" -}}
app.kubernetes.io/name: deckwatch
app.kubernetes.io/component: {{ . }}
{{- end }}

{{/* The labels of every object. Given a list of the root and the part. */}}
{{- define "deckwatch.labels" -}}
{{- $root := index . 0 -}}
{{ include "deckwatch.selector" (index . 1) }}
app.kubernetes.io/part-of: deckwatch
app.kubernetes.io/version: {{ $root.Chart.AppVersion }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version | replace "+" "_" }}
{{- end }}

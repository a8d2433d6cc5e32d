{{/* The chosen components in the order of all, with commas between. */}}
{{- define "deckwatch.components" -}}
{{- $chosen := list }}
{{- range list "image-graph" "audit-log" }}
{{- if has . $.Values.components }}{{ $chosen = append $chosen . }}{{ end }}
{{- end }}
{{- join "," $chosen }}
{{- end }}

{{/* A Kubernetes quantity in whole mebibytes. */}}
{{- define "deckwatch.mebi" -}}
{{- $digits := regexFind "^[0-9.]+" . }}
{{- $factors := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 }}
{{- $unit := trimPrefix $digits . }}
{{- $factor := 1.0 }}
{{- if $unit }}{{ $factor = get $factors $unit }}{{ end }}
{{- divf (mulf (float64 $digits) $factor) 1048576 | floor | int64 }}
{{- end }}

{{/* What the history of changes may take, in whole mebibytes: of the volume what its other users leave. */}}
{{- define "deckwatch.auditHistory" -}}
{{- if .Values.auditLog.historySize }}
{{- include "deckwatch.mebi" .Values.auditLog.historySize }}
{{- else if .Values.store.secret }}
{{- include "deckwatch.mebi" "20Gi" }}
{{- else }}
{{- $left := mulf (include "deckwatch.mebi" .Values.storage.size | int64) 0.8 | floor | int64 }}
{{- if has "image-graph" .Values.components }}
{{- $left = sub $left (include "deckwatch.mebi" .Values.imageGraph.historySize | int64) }}
{{- end }}
{{- sub $left (include "deckwatch.mebi" .Values.auditLog.journalSize | int64) }}
{{- end }}
{{- end }}

{{/* The settings of the companion that say what is recorded; lists as JSON, since names may hold commas. */}}
{{- define "deckwatch.config.audit" -}}
{{- with .Values.auditLog -}}
audit-resources: {{ join "," .resources | toJson }}
{{- range $part := list "exclude" "include" }}
{{- $writers := get $.Values.auditLog $part }}
{{- range $name := list "users" "groups" "namespaces" "extra" }}
audit-{{ $part }}-{{ $name }}: {{ get $writers $name | toRawJson | toRawJson }}
{{- end }}
{{- end }}
audit-conditions: {{ .conditions | toRawJson | toRawJson }}
audit-access: {{ .access }}
audit-watch-secrets: {{ .watchSecrets }}
audit-redact: {{ .redact | toRawJson | toRawJson }}
audit-history-days: {{ int .historyDays }}
audit-secrets-days: {{ int .secretsDays }}
audit-per-object: {{ int .perObject }}
audit-keep-last: {{ int .keepLast }}
audit-size: {{ printf "%sMi" (include "deckwatch.auditHistory" $) | toJson }}
audit-journal-size: {{ .journalSize | toJson }}
audit-export: {{ .export.url | toRawJson }}
audit-export-format: {{ .export.format | toJson }}
{{- end }}
{{- end }}

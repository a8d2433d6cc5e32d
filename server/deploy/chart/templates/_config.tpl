{{/* The file that all pods of the companion read; what differs among them they are told by flags. */}}
{{- define "deckwatch.config" -}}
namespace: {{ .Release.Namespace | toJson }}
service: "deckwatch"
data: "/data"
api-address: ":{{ int .Values.ports.api }}"
peer-address: ":{{ int .Values.ports.peer }}"
metrics-address: ":{{ int .Values.ports.metrics }}"
metrics-auth: {{ .Values.metrics.auth }}
log-level: {{ .Values.logLevel | toJson }}
history-days: {{ int .Values.imageGraph.historyDays }}
history-events: {{ int64 .Values.imageGraph.historyEvents }}
history-size: {{ .Values.imageGraph.historySize | toJson }}
{{- if has "audit-log" .Values.components }}
{{ include "deckwatch.config.audit" . }}
{{- end }}
{{ end }}

{{/* What the api may do in the whole cluster. */}}
{{- define "deckwatch.rights.api.cluster" -}}
- apiGroups: ['']
  resources: [namespaces]
  verbs: [get]
- apiGroups: ['']
  resources: [namespaces]
  resourceNames: [{{ .Release.Namespace | quote }}]
  verbs: [list, watch]
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  resourceNames: [v1alpha1.deckwatch.dev]
  verbs: [list, watch, patch, delete]
{{- end }}

{{/* What the api may do in its namespace. */}}
{{- define "deckwatch.rights.api.namespace" -}}
- apiGroups: ['']
  resources: [secrets]
  verbs: [create]
- apiGroups: ['']
  resources: [secrets]
  resourceNames: [deckwatch-tls, deckwatch-peer-ca]
  verbs: [get, update]
- apiGroups: ['']
  resources: [configmaps]
  verbs: [create]
- apiGroups: ['']
  resources: [configmaps]
  resourceNames: [deckwatch-ca]
  verbs: [get, patch]
{{- end }}

{{/* What a pod without the api may do beside its components' rights. */}}
{{- define "deckwatch.rights.apart.namespace" -}}
- apiGroups: ['']
  resources: [configmaps]
  resourceNames: [deckwatch-ca]
  verbs: [get]
{{- end }}

{{/* What the chosen components may do in the whole cluster. */}}
{{- define "deckwatch.rights.components.cluster" -}}
{{- if has "image-graph" .Values.components -}}
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch]
- apiGroups: ['']
  resources: [nodes]
  verbs: [list, watch]
- apiGroups: ['']
  resources: [namespaces]
  verbs: [get, list]
{{- end }}
{{- if has "audit-log" .Values.components }}
- apiGroups: ['']
  resources: [pods, services, configmaps, serviceaccounts, namespaces, persistentvolumeclaims]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [list, watch]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings, clusterroles, clusterrolebindings]
  verbs: [list, watch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list, watch]
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [deckwatch-audit-log]
  verbs: [get, list, watch, update, patch]
{{- range .Values.auditLog.resources }}
{{- $name := splitn "." 3 . }}
- apiGroups: [{{ $name._2 | default "" | quote }}]
  resources: [{{ $name._0 | quote }}]
  verbs: [list, watch]
{{- end }}
{{- if .Values.auditLog.watchSecrets }}
- apiGroups: ['']
  resources: [secrets]
  verbs: [list, watch]
{{- end }}
{{- end }}
{{- end }}

{{/* What the chosen components may do in their namespace. */}}
{{- define "deckwatch.rights.components.namespace" -}}
{{- if has "image-graph" .Values.components -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [deckwatch-image-graph]
  verbs: [get, update]
{{- end }}
{{- if has "audit-log" .Values.components }}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [deckwatch-audit-log]
  verbs: [get, update]
- apiGroups: ['']
  resources: [secrets]
  verbs: [create]
- apiGroups: ['']
  resources: [secrets]
  resourceNames: [deckwatch-audit-log]
  verbs: [get, update]
- apiGroups: ['']
  resources: [configmaps]
  resourceNames: [deckwatch-purge]
  verbs: [update]
{{- end }}
{{- end }}

{{/* What readers may read of the chosen components. */}}
{{- define "deckwatch.serves" -}}
{{- $served := list }}
{{- if has "image-graph" .Values.components }}
{{- $served = concat $served (list "images" "clusterimages" "imageevents" "clusterimageevents") }}
{{- end }}
{{- if has "audit-log" .Values.components }}
{{- $served = concat $served (list "changes" "clusterchanges") }}
{{- end }}
{{- join ", " $served }}
{{- end }}

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
{{- end }}

{{/* What readers may read of the chosen components. */}}
{{- define "deckwatch.serves" -}}
{{- if has "image-graph" .Values.components -}}
images, clusterimages, imageevents, clusterimageevents
{{- end }}
{{- end }}

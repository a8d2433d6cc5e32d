{{/* The spec of a pod. Given a dict of root, name, api (it serves the API group), rooms (it keeps data), apart. */}}
{{- define "deckwatch.pod" -}}
{{- $values := .root.Values -}}
{{- $namespace := .root.Release.Namespace -}}
{{- $hostPath := and .rooms (eq $values.storage.type "hostPath") -}}
serviceAccountName: {{ .name }}
automountServiceAccountToken: true
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- if $values.hostNetwork }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and $hostPath $values.storage.node }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchFields:
            - { key: metadata.name, operator: In, values: [{{ $values.storage.node | quote }}] }
{{- end }}
{{- if gt (int (ternary $values.replicas $values.apiReplicas .rooms)) 1 }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "deckwatch.selector" (ternary "companion" "api" $.rooms) | nindent 8 }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
terminationGracePeriodSeconds: 30
{{- if $hostPath }}
initContainers:
  # Makes the folder of the node the companion's own.
  - name: prepare-data
    image: {{ $values.image | quote }}
    imagePullPolicy: {{ $values.imagePullPolicy }}
    args: [prepare-data, --data=/data]
    resources:
      {{- toYaml $values.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      runAsNonRoot: false
      runAsUser: 0
      runAsGroup: 0
      capabilities: { drop: [ALL], add: [CHOWN] }
    volumeMounts:
      - { name: data, mountPath: /data }
      - { name: tmp, mountPath: /tmp }
{{- end }}
containers:
  - name: deckwatch
    image: {{ $values.image | quote }}
    imagePullPolicy: {{ $values.imagePullPolicy }}
    args:
      - --config=/etc/deckwatch/config.yaml
      {{- if not .apart }}
      - --components=api,{{ include "deckwatch.components" .root }}
      {{- else if .rooms }}
      - --components={{ include "deckwatch.components" .root }}
      - --token-file=/var/run/secrets/deckwatch/token
      - --leaf-url=https://deckwatch.{{ $namespace }}.svc:443/peer/v1/leaf
      {{- if has "audit-log" $values.components }}
      - --audit-service=deckwatch-audit
      {{- end }}
      {{- else }}
      - --components=api
      {{- $peers := list }}
      {{- range include "deckwatch.components" .root | splitList "," }}
      {{- $peers = append $peers (printf "%s=deckwatch-data.%s.svc:10251" . $namespace) }}
      {{- end }}
      - --peers={{ join "," $peers }}
      - --peer-accounts=deckwatch
      {{- end }}
      {{- if .api }}
      - --api-service=v1alpha1.deckwatch.dev
      {{- end }}
    env:
      - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
      - { name: POD_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
      - { name: POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
      {{- if and .rooms $values.store.secret }}
      - name: DECKWATCH_STORE
        valueFrom: { secretKeyRef: { name: {{ $values.store.secret | quote }}, key: {{ $values.store.key | quote }} } }
      {{- end }}
      {{- $export := $values.auditLog.export }}
      {{- if and .rooms $export.url $export.secret.name (has "audit-log" $values.components) }}
      - name: DECKWATCH_AUDIT_EXPORT_HEADERS
        valueFrom: { secretKeyRef: { name: {{ $export.secret.name | quote }}, key: {{ $export.secret.key | quote }} } }
      {{- end }}
    ports:
      - { name: api, containerPort: {{ int $values.ports.api }}, protocol: TCP }
      {{- if and .apart .rooms }}
      - { name: peer, containerPort: {{ int $values.ports.peer }}, protocol: TCP }
      {{- end }}
      - { name: metrics, containerPort: {{ int $values.ports.metrics }}, protocol: TCP }
    resources:
      {{- toYaml $values.resources | nindent 6 }}
    # Migrations and the check of a large store come before the first answer.
    startupProbe:
      httpGet: { path: /livez, port: api, scheme: HTTPS }
      timeoutSeconds: 5
      periodSeconds: 2
      failureThreshold: 150
    livenessProbe:
      httpGet: { path: /livez, port: api, scheme: HTTPS }
      timeoutSeconds: 5
      periodSeconds: 10
      failureThreshold: 6
    readinessProbe:
      httpGet: { path: /readyz, port: api, scheme: HTTPS }
      timeoutSeconds: 5
      periodSeconds: 2
      failureThreshold: 3
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: { drop: [ALL] }
    volumeMounts:
      - { name: config, mountPath: /etc/deckwatch, readOnly: true }
      - { name: tmp, mountPath: /tmp }
      {{- if .rooms }}
      - { name: data, mountPath: /data }
      {{- end }}
      {{- if and .apart .rooms }}
      - { name: token, mountPath: /var/run/secrets/deckwatch, readOnly: true }
      {{- end }}
volumes:
  - name: config
    configMap: { name: deckwatch-config }
  - name: tmp
    emptyDir: { sizeLimit: 512Mi }
  {{- if .rooms }}
  - name: data
    {{- if eq $values.storage.type "pvc" }}
    persistentVolumeClaim: { claimName: deckwatch-data }
    {{- else if $hostPath }}
    hostPath: { path: {{ $values.storage.path | quote }}, type: DirectoryOrCreate }
    {{- else }}
    emptyDir: { sizeLimit: {{ $values.storage.size | quote }} }
    {{- end }}
  {{- end }}
  {{- if and .apart .rooms }}
  - name: token
    projected:
      sources:
        - serviceAccountToken: { audience: deckwatch-peer, expirationSeconds: 3600, path: token }
  {{- end }}
{{- end }}

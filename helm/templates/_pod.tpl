{{/* What a Deployment and a StatefulSet run. */}}
{{- define "turnout.pod" -}}
{{- include "turnout.check" . -}}
{{- $config := include "turnout.config" . | fromJson -}}
{{- $scheme := empty $config.tls | ternary "HTTP" "HTTPS" -}}
metadata:
  labels:
    {{- include "turnout.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    kubectl.kubernetes.io/default-container: turnout
    # Of what takes a restart, and of nothing else: the rest of turnout.yaml changes in running pods.
    turnout/restart: {{ include "turnout.restart" . }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "turnout.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false  # a Service's variables begin like turnout's own
  terminationGracePeriodSeconds: {{ include "turnout.patience" . }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .Values.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - {{ toYaml . | nindent 6 | trim }}
      labelSelector:
        matchLabels:
          {{- include "turnout.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: turnout
      image: {{ include "turnout.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      # What is said here stays in force over turnout.yaml.
      args:
        - serve
        - --config=/etc/turnout/turnout.yaml
        - --listen={{ .Values.listenHost }}:8000
        - --admin={{ .Values.listenHost }}:8001
        - --data=/var/lib/turnout
        {{- with .Values.args }}{{ toYaml . | nindent 8 }}{{ end }}
      env:
        # For the command line in this container, as for `turnout serve`.
        - {name: TURNOUT_CONFIG, value: /etc/turnout/turnout.yaml}
        - {name: TURNOUT_DATA, value: /var/lib/turnout}
        {{- range $name, $value := .Values.env }}
        - {name: {{ $name | quote }}, value: {{ $value | quote }}}
        {{- end }}
        {{- range $name, $from := .Values.secretEnv }}
        - name: {{ $name | quote }}
          valueFrom: {secretKeyRef: {name: {{ $from.secret | quote }}, key: {{ $from.key | quote }}}}
        {{- end }}
      ports:
        - {name: traffic, containerPort: 8000}
        - {name: admin, containerPort: 8001}
      # Has a worker its routing? A database that is migrated first may take a while.
      startupProbe:
        httpGet: {path: /readyz, port: traffic, scheme: {{ $scheme }}}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 90
      # May it get new requests? Not from SIGTERM on.
      readinessProbe:
        httpGet: {path: /readyz, port: traffic, scheme: {{ $scheme }}}
        periodSeconds: 5
        timeoutSeconds: 2
        failureThreshold: 2
      # Does a worker answer at all? turnout replaces what dies or hangs by itself, within half a
      # minute; only where it does not is the container started again.
      livenessProbe:
        httpGet: {path: /healthz, port: traffic, scheme: {{ $scheme }}}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      # No preStop: turnout itself takes connections for drain_grace_seconds more, with /readyz at 503.
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        # The folder, not the file: what is mounted with subPath never changes.
        - {name: config, mountPath: /etc/turnout, readOnly: true}
        - {name: data, mountPath: /var/lib/turnout}
        - {name: tmp, mountPath: /tmp}
        {{- range .Values.secretFiles }}
        - {name: secret-{{ . }}, mountPath: /run/secrets/{{ . }}, readOnly: true}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "turnout.fullname" . }}}
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
    {{- if not .Values.persistence.enabled }}
    - name: data
      emptyDir: {sizeLimit: {{ .Values.dataSizeLimit }}}
    {{- end }}
    {{- range .Values.secretFiles }}
    - name: secret-{{ . }}
      secret: {secretName: {{ . | quote }}}
    {{- end }}
{{- end -}}

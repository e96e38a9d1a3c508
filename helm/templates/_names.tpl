{{/* At most 40 characters: a pod's name, which tells hosts apart, is cut at 63. */}}
{{- define "turnout.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "turnout.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $both | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "turnout.selector" -}}
app.kubernetes.io/name: {{ include "turnout.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "turnout.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "turnout.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "turnout.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "turnout.fullname" .) "default") -}}
{{- end -}}

{{- define "turnout.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ empty .digest | ternary (printf ":%s" (.tag | default $.Chart.AppVersion)) (printf "@%s" .digest) }}
{{- end -}}
{{- end -}}

{{/* What autoscaling and the stateful kind ask for. */}}
{{- define "turnout.kind" -}}
{{- .Values.persistence.enabled | ternary "StatefulSet" "Deployment" -}}
{{- end -}}

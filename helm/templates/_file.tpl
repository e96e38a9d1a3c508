{{/* turnout.yaml as values, to look at: what it refers to is not known here, so ${NAME} reads (NAME). */}}
{{- define "turnout.read" -}}
{{- $text := regexReplaceAll `\$\{([A-Za-z_][A-Za-z0-9_]*)?[^{}\n]*\}` . "(${1})" -}}
{{- $read := fromYaml $text -}}
{{- if hasKey $read "Error" -}}
{{- fail (printf "config is no turnout.yaml; `turnout check` says more: %s" $read.Error) -}}
{{- end -}}
{{- toJson $read -}}
{{- end -}}

{{/* turnout.yaml as pods get it: config, and below it what is said for it where it says nothing. */}}
{{- define "turnout.file" -}}
{{- $said := include "turnout.read" .Values.config | fromJson -}}
{{- $added := dict -}}
{{- if not (hasKey $said "drain_grace_seconds") -}}
{{- $_ := set $added "drain_grace_seconds" 10 -}}
{{- end -}}
{{- if .Values.releaseRevision -}}
{{- if hasKey $said "revision" -}}
{{- fail "config has a `revision`, and releaseRevision gives it one: keep one of the two" -}}
{{- end -}}
{{- $_ := set $added "revision" .Release.Revision -}}
{{- end -}}
{{- .Values.config | trimSuffix "\n" }}
{{- if $added }}
# Added by the chart:
{{ toYaml $added }}
{{- end -}}
{{- end -}}

{{/* The same as values: with it the chart finds out what it must know. */}}
{{- define "turnout.config" -}}
{{- $read := include "turnout.file" . | include "turnout.read" -}}
{{- if not (hasKey (fromJson $read) "drain_grace_seconds") -}}
{{- fail "config is no turnout.yaml to which lines can be added: write its first level without braces" -}}
{{- end -}}
{{- $read -}}
{{- end -}}

{{/* What of it takes effect with a restart only, as docs/operating.md lists it. */}}
{{- define "turnout.restart" -}}
{{- $config := include "turnout.config" . | fromJson -}}
{{- $fixed := pick $config "tls" "workers" "store" "host" "drain_seconds" "drain_grace_seconds" -}}
{{- $log := $config.log | default dict -}}
{{- $admin := $config.admin | default dict -}}
{{- list $fixed ($log.format | default "json") $admin.names | toJson | sha256sum -}}
{{- end -}}

{{/* Seconds between the order to end and the kill. */}}
{{- define "turnout.patience" -}}
{{- $config := include "turnout.config" . | fromJson -}}
{{- $drain := hasKey $config "drain_seconds" | ternary $config.drain_seconds 120 -}}
{{- $grace := $config.drain_grace_seconds -}}
{{- $asked := int .Values.terminationGracePeriodSeconds -}}
{{- if or (kindIs "string" $drain) (kindIs "string" $grace) -}}
{{- if not $asked -}}
{{- fail "drain_seconds and drain_grace_seconds of config come from elsewhere: say terminationGracePeriodSeconds, 30 more than both together" -}}
{{- end -}}
{{- $asked -}}
{{- else -}}
{{- $least := addf $drain $grace 30 | ceil | int -}}
{{- if and $asked (lt $asked $least) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d, and would cut streams: drain_seconds + drain_grace_seconds + 30 are %d" $asked $least) -}}
{{- end -}}
{{- $asked | default $least -}}
{{- end -}}
{{- end -}}

{{/* What can't be had together. */}}
{{- define "turnout.check" -}}
{{- $config := include "turnout.config" . | fromJson -}}
{{- $store := kindIs "map" $config.store | ternary $config.store dict -}}
{{- $alone := and .Values.persistence.enabled (not $store.url) -}}
{{- if and $alone (or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled) -}}
{{- fail "SQLite on a volume (persistence) is one pod's: with several pods, name a PostgreSQL database in config (store.url)" -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if and .enabled (not .cpu) (not .inFlight) -}}
{{- fail "autoscaling goes by nothing: say autoscaling.cpu or autoscaling.inFlight" -}}
{{- end -}}
{{- if and .enabled (lt (int .maxReplicas) (int .minReplicas)) -}}
{{- fail (printf "autoscaling.maxReplicas is %d, and less than minReplicas, which is %d" (int .maxReplicas) (int .minReplicas)) -}}
{{- end -}}
{{- $asked := or (dig "requests" "cpu" "" $.Values.resources) (dig "limits" "cpu" "" $.Values.resources) -}}
{{- if and .enabled .cpu (not $asked) -}}
{{- fail "autoscaling.cpu is a share of resources.requests.cpu, which is not said: say it, or go by inFlight alone (cpu: 0)" -}}
{{- end -}}
{{- end -}}
{{- $taken := list "TURNOUT_CONFIG" "TURNOUT_DATA" -}}
{{- range concat (keys .Values.env) (keys .Values.secretEnv) -}}
{{- if has . $taken -}}
{{- fail (printf "the variable %s is said twice: by env, secretEnv or the chart itself" .) -}}
{{- end -}}
{{- $taken = append $taken . -}}
{{- end -}}
{{- range $name, $_ := include "turnout.selector" . | fromYaml -}}
{{- if hasKey $.Values.podLabels $name -}}
{{- fail (printf "podLabels has %s, by which the pods are found: that is the chart's" $name) -}}
{{- end -}}
{{- end -}}
{{- if not (include "turnout.fullname" . | regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$") -}}
{{- fail (printf "%s can't be a Service's name (letters, digits, hyphens; a letter first): say fullnameOverride" (include "turnout.fullname" .)) -}}
{{- end -}}
{{- range $name, $_ := .Values.configFiles -}}
{{- if eq $name "turnout.yaml" -}}
{{- fail "configFiles has a turnout.yaml: that is config" -}}
{{- end -}}
{{- end -}}
{{- end -}}

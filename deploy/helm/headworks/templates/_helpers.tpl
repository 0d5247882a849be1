{{/* Names. */}}

{{- define "headworks.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 52 characters, so that suffixes such as `-dashboards` fit into the 63 of a name. */}}
{{- define "headworks.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "headworks.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "headworks.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "headworks.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels. The component tells the gateway's pods from those of `helm test`. */}}

{{- define "headworks.matchLabels" -}}
app.kubernetes.io/name: {{ include "headworks.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "headworks.selectorLabels" -}}
{{ include "headworks.matchLabels" . }}
app.kubernetes.io/component: gateway
{{- end -}}

{{- define "headworks.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "headworks.labels" -}}
{{ include "headworks.selectorLabels" . }}
{{ include "headworks.commonLabels" . }}
{{- end -}}

{{/* Without the chart's version: a pod need not go because that has changed. */}}
{{- define "headworks.podLabels" -}}
{{- $labels := include "headworks.selectorLabels" . | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- toYaml (merge $labels .Values.podLabels .Values.commonLabels) -}}
{{- end -}}

{{/* The configuration. */}}

{{/* Whether the chart makes it: then "true". */}}
{{- define "headworks.ownsConfig" -}}
{{- if not (or .Values.existingConfigMap .Values.existingSecret) -}}true{{- end -}}
{{- end -}}

{{/* What it says, as JSON; nothing where the chart cannot or should not read it. */}}
{{- define "headworks.readConfig" -}}
{{- if and .Values.checkConfig (include "headworks.ownsConfig" .) -}}
{{- $config := fromToml .Values.config -}}
{{- if and (hasKey $config "Error") (kindIs "string" $config.Error) -}}
{{- fail (printf "config: %s" $config.Error) -}}
{{- end -}}
{{- toJson $config -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* A time such as "1m 30s" in seconds, rounded up for each of its parts. */}}
{{- define "headworks.seconds" -}}
{{- $units := dict "s" 1 "sec" 1 "secs" 1 "second" 1 "seconds" 1
  "m" 60 "min" 60 "mins" 60 "minute" 60 "minutes" 60
  "h" 3600 "hr" 3600 "hrs" 3600 "hour" 3600 "hours" 3600 "d" 86400 "day" 86400 "days" 86400 -}}
{{- $seconds := 0 -}}
{{- range regexFindAll "[0-9]+ *[a-zA-Z]+" . -1 -}}
{{- $number := regexFind "[0-9]+" . | int -}}
{{- $unit := regexFind "[a-zA-Z]+" . -}}
{{- $seconds = add $seconds (ternary (mul $number (get $units $unit | default 1)) 1 (hasKey $units $unit)) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* How long running exchanges may take to end. */}}
{{- define "headworks.drainSeconds" -}}
{{- $config := include "headworks.readConfig" . | fromJson -}}
{{- include "headworks.seconds" (dig "server" "drain" "30s" $config) -}}
{{- end -}}

{{- define "headworks.graceSeconds" -}}
{{- $least := add .Values.preStopSeconds (include "headworks.drainSeconds" . | int) -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- add $least 10 -}}
{{- else -}}
{{- $given := .Values.terminationGracePeriodSeconds | int -}}
{{- if and (include "headworks.ownsConfig" .) .Values.checkConfig (le $given (int $least)) -}}
{{- fail (printf "terminationGracePeriodSeconds: %d would cut running exchanges; preStopSeconds and server.drain are %d together" $given (int $least)) -}}
{{- end -}}
{{- $given -}}
{{- end -}}
{{- end -}}

{{/* Whether there may be several replicas: then "true". */}}
{{- define "headworks.several" -}}
{{- if .Values.autoscaling.enabled -}}
{{- if gt (int .Values.autoscaling.maxReplicas) 1 -}}true{{- end -}}
{{- else if gt (int .Values.replicaCount) 1 -}}true{{- end -}}
{{- end -}}

{{/* Whether a file of keys is mounted: then "true". */}}
{{- define "headworks.hasKeys" -}}
{{- if or .Values.keys.content .Values.keys.existingSecret -}}true{{- end -}}
{{- end -}}

{{- define "headworks.keysSecretName" -}}
{{- default (printf "%s-keys" (include "headworks.fullname" .)) .Values.keys.existingSecret -}}
{{- end -}}

{{/* Fails where values do not fit together. */}}
{{- define "headworks.check" -}}
{{- if and .Values.existingConfigMap .Values.existingSecret -}}
{{- fail "existingConfigMap, existingSecret: name one of both" -}}
{{- end -}}
{{- if and .Values.keys.content .Values.keys.existingSecret -}}
{{- fail "keys: content and existingSecret do not go together" -}}
{{- end -}}
{{- if and .Values.persistence.enabled (include "headworks.several" .) -}}
{{- fail "persistence: a ledger belongs to one gateway; set replicaCount to 1 and autoscaling.enabled to false" -}}
{{- end -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- if and $budget.enabled (eq (kindIs "invalid" $budget.maxUnavailable) (kindIs "invalid" $budget.minAvailable)) -}}
{{- fail "podDisruptionBudget: set one of maxUnavailable and minAvailable, and the other to null" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.adminService.enabled) -}}
{{- fail "serviceMonitor: it finds the gateways by adminService; enable that as well" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling: minReplicas is more than maxReplicas" -}}
{{- end -}}
{{- if and .Values.checkConfig (include "headworks.ownsConfig" .) -}}
{{- include "headworks.checkConfig" . -}}
{{- end -}}
{{- end -}}

{{/* Fails where the configuration does not fit the chart. */}}
{{- define "headworks.checkConfig" -}}
{{- $config := include "headworks.readConfig" . | fromJson -}}
{{- $http := printf ":%d" (int .Values.ports.http) -}}
{{- $listen := dig "server" "listen" "0.0.0.0:8000" $config -}}
{{- $found := false -}}
{{- range (kindIs "slice" $listen | ternary $listen (list $listen)) -}}
{{- if and (hasSuffix $http .) (not (regexMatch "^(127\\.|\\[::1\\])" .)) -}}{{- $found = true -}}{{- end -}}
{{- end -}}
{{- if not $found -}}
{{- fail (printf "config: the Service leads to ports.http, so server.listen has to have \"0.0.0.0%s\" or \"[::]%s\"" $http $http) -}}
{{- end -}}
{{- $admin := printf ":%d" (int .Values.ports.admin) -}}
{{- $operators := dig "admin" "listen" "127.0.0.1:9090" $config -}}
{{- if or (not (hasSuffix $admin $operators)) (regexMatch "^(127\\.|\\[::1\\])" $operators) -}}
{{- fail (printf "config: probes ask ports.admin from outside of the pod, so admin.listen has to be \"0.0.0.0%s\" or \"[::]%s\"" $admin $admin) -}}
{{- end -}}
{{- $file := dig "identity" "keys_file" "" $config -}}
{{- if and (include "headworks.hasKeys" .) (ne $file .Values.keys.file) -}}
{{- fail (printf "config: keys are given, but identity.keys_file is not %q, so they would not be asked for" .Values.keys.file) -}}
{{- end -}}
{{- if and (eq $file .Values.keys.file) (not (include "headworks.hasKeys" .)) (not .Values.configSources) -}}
{{- fail (printf "config: identity.keys_file is %q, which keys.content or keys.existingSecret is to bring" $file) -}}
{{- end -}}
{{- end -}}

{{/* Parts of a pod, the same for the gateway and for `helm test`. */}}

{{- define "headworks.configVolume" -}}
- name: config
  projected:
    sources:
      {{- if .Values.existingConfigMap }}
      - configMap:
          name: {{ .Values.existingConfigMap }}
      {{- else if .Values.existingSecret }}
      - secret:
          name: {{ .Values.existingSecret }}
      {{- else if eq .Values.configKind "Secret" }}
      - secret:
          name: {{ include "headworks.fullname" . }}
      {{- else }}
      - configMap:
          name: {{ include "headworks.fullname" . }}
      {{- end }}
      {{- if include "headworks.hasKeys" . }}
      - secret:
          name: {{ include "headworks.keysSecretName" . }}
          items:
            - key: {{ .Values.keys.file }}
              path: {{ .Values.keys.file }}
      {{- end }}
      {{- with .Values.configSources }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
{{- end -}}

{{/* The folder and not the file: with `subPath` nothing is ever updated. */}}
{{- define "headworks.volumeMounts" -}}
- name: config
  mountPath: /etc/headworks
  readOnly: true
# Not at the folder below: the gateway makes that, for its own user alone.
- name: cache
  mountPath: /var/cache
- name: state
  mountPath: /var/lib/headworks
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "headworks.env" -}}
- name: HEADWORKS_CONFIG
  value: {{ include "headworks.configPath" . }}
- name: HEADWORKS_LOG_LEVEL
  value: {{ .Values.log.level }}
- name: HEADWORKS_LOG_FORMAT
  value: {{ .Values.log.format }}
- name: HEADWORKS_ADMIN
  value: 127.0.0.1:{{ .Values.ports.admin }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "headworks.configPath" -}}
/etc/headworks/{{ if include "headworks.ownsConfig" . }}headworks.toml{{ else }}{{ .Values.configKey }}{{ end }}
{{- end -}}

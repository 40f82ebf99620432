import { VERSION } from '../../base/util/version.ts';
import { BURN_RATES, type BurnRate, LEAST_BAD, WINDOWS } from './burn-rates.ts';

/** What tells one objective from another; `job` keeps apart what serves different users. */
const BY = '(job, model, objective)';
const BAD = 'nimify_slo_requests_total{result="bad"}';
const ALL = 'nimify_slo_requests_total';
const BUDGET = 'nimify:slo_budget:ratio';
const RUNBOOKS = `https://unpkg.com/nimify@${VERSION}/docs/runbooks`;

/**
 * Recording and alerting rules for Prometheus, over the metrics of all replicas of a service. They are those of the ledger,
 * but Prometheus remembers longer than a process, and still speaks when none is left.
 */
export function renderAlertRules(): string {
  return `# Written by nimify ${VERSION}: nimify alerts. For rule_files of Prometheus.
groups:
  - name: nimify-slo-rates
    rules:
      - record: ${BUDGET}
        expr: 1 - max by ${BY} (nimify_slo_objective_ratio)
${Object.keys(WINDOWS).map(recordErrors).join('')}
  - name: nimify-slo
    rules:
${BURN_RATES.map(alertBurn).join('')}
  - name: nimify-incidents
    rules:
${alertIncident('NimifyIncidentPaging', 'paging', 'critical', '0m')}${alertIncident('NimifyIncidentDegraded', 'degraded', 'warning', '5m')}`;
}

function errorsOver(window: string): string {
  return `nimify:slo_errors:ratio_rate${window}`;
}

function recordErrors(window: string): string {
  return `      - record: ${errorsOver(window)}
        expr: |
          sum by ${BY} (rate(${BAD}[${window}]))
          / sum by ${BY} (rate(${ALL}[${window}]))
`;
}

function alertBurn({ long, short, rate, level }: BurnRate): string {
  return `      - alert: NimifySloBurn
        expr: |
          ${errorsOver(long)} > on ${BY} ${rate} * ${BUDGET}
          and on ${BY} ${errorsOver(short)} > on ${BY} ${rate} * ${BUDGET}
          and on ${BY} sum by ${BY} (increase(${BAD}[${long}])) >= ${LEAST_BAD}
        labels:
          severity: ${level === 'paging' ? 'critical' : 'warning'}
          window: ${long}
        annotations:
          summary: "{{ $labels.model }} spends its error budget too fast ({{ $labels.objective }})"
          description: "{{ $value | humanizePercentage }} of the requests of ${long} did not keep to the objective: more than ${rate} times what it allows, and so in the last ${short}."
          runbook_url: ${RUNBOOKS}/slo-burn.md
`;
}

function alertIncident(name: string, state: string, severity: string, lasting: string): string {
  return `      - alert: ${name}
        expr: max by (job, instance, condition) (nimify_incidents{state="${state}", condition!="slo"}) > 0
        for: ${lasting}
        labels:
          severity: ${severity}
        annotations:
          summary: "{{ $labels.instance }}: an incident is ${state} ({{ $labels.condition }})"
          description: "nimify events, or /admin/events of that server, tells what happened and what it has done about it."
          runbook_url: ${RUNBOOKS}/README.md
`;
}

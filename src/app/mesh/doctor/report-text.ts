import type { CheckStatus, DoctorReport } from '../../../contracts/doctor.ts';
import { formatDuration, plural } from '../../ui/format.ts';

/** How a status is called. */
export const STATUS_WORDS: Readonly<Record<CheckStatus, string>> = {
  ok: 'OK',
  warning: 'Warning',
  failed: 'Failed',
  skipped: 'Skipped',
};

/** What an examination has come to, in one sentence. */
export function summary({ checks }: Pick<DoctorReport, 'checks'>): string {
  const titles = (status: CheckStatus) => checks.filter((check) => check.status === status).map(({ title }) => title);
  const failed = titles('failed');
  const warnings = titles('warning');
  if (failed.length > 0) {
    const more = warnings.length === 0 ? '' : `, ${plural(warnings.length, 'warning')}`;
    return `${plural(failed.length, 'check')} failed${more}: ${failed.join(', ')}.`;
  }
  if (warnings.length > 0) return `It works, with ${plural(warnings.length, 'warning')}: ${warnings.join(', ')}.`;
  return 'Everything that was checked is well.';
}

/** The report as text for a message or an issue. It holds no secrets, and of public IP addresses not the last part. */
export function reportText(report: DoctorReport, version: string): string {
  const head = [
    `Tabmesh ${version}, connection of a ${report.kind}`,
    `${new Date(report.startedAt).toISOString()}, took ${formatDuration(report.tookMs)}`,
    summary(report),
  ];
  const checks = report.checks.map(({ status, title, reason, advice, details, tookMs }) => {
    const lines = [`[${STATUS_WORDS[status]}] ${title} (${formatDuration(tookMs)})`, `  ${reason}`];
    if (advice !== null) lines.push(`  → ${advice}`);
    if (Object.keys(details).length > 0) lines.push(`  ${JSON.stringify(details)}`);
    return lines.join('\n');
  });
  return `${head.join('\n')}\n\n${checks.join('\n')}\n`;
}

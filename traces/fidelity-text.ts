/** The fidelity table as plain text, 80 columns and a note under each row that needs one; the verdict comes last. */
import type { FidelityRow, FidelityTable } from './fidelity.js';

export function fidelityText(table: FidelityTable): string {
  const width = Math.min(24, Math.max(...table.rows.map((row) => row.service.length), 7));
  const lines = [`${'service'.padEnd(width)} what    measured   simulated    error  asked  verdict`];
  for (const row of table.rows) {
    lines.push(line(row, width));
    if (row.word !== '') lines.push(`${' '.repeat(width + 3)}${row.word}`);
  }
  const { rates, cpu, latency } = table.medianError;
  const percent = (value: number | null): string => (value === null ? 'none' : `${(100 * value).toFixed(1)} %`);
  lines.push(
    '',
    `Median error: rates ${percent(rates)}, CPU ${percent(cpu)}, latency ${percent(latency)}; score ${table.score.toFixed(3)}.`,
  );
  lines.push(`${table.healthySteps} of ${table.steps} steps compared (the others lie in fault windows).`);
  lines.push(
    `${table.passed} of ${table.passed + table.missed} figures within tolerance${table.missed > 0 ? `, ${table.missed} missed` : ''}.`,
  );
  return `${lines.join('\n')}\n`;
}

function line(row: FidelityRow, width: number): string {
  const name = row.service.length > width ? `${row.service.slice(0, width - 2)}..` : row.service.padEnd(width);
  const number = (value: number): string => `${value.toPrecision(4)}${row.unit}`.padStart(11);
  const error = `${row.errorPercent >= 0 ? '+' : ''}${row.errorPercent.toFixed(1)}%`.padStart(8);
  const asked = (row.tolerancePercent === null ? '-' : `${row.tolerancePercent}%`).padStart(6);
  return `${name} ${(row.figure === 'requestRate' ? 'rate' : row.figure).padEnd(5)}${number(row.measured)} ${number(row.simulated)} ${error} ${asked}  ${row.verdict}`;
}

/** `round-trips`: a table of measured round trips as the part of a scenario that holds them, to be pasted in. */
import { readRoundTripTable, type MeasuredZones } from '../../traces/read/round-trip-table.js';
import type { Arguments } from '../commands.js';
import type { Context } from '../context.js';
import { EXIT, InputError, type ExitCode } from '../exit-codes.js';
import { readText } from '../scenario-input.js';
import { texts } from '../run-options.js';

export async function roundTrips(args: Arguments, context: Context): Promise<ExitCode> {
  const file = String(args.file);
  const text = file === '-' ? await context.readInput() : readText(file);
  let measured: MeasuredZones;
  try {
    measured = readRoundTripTable(text, file === '-' ? '<stdin>' : file, texts(args, 'zone'));
  } catch (error) {
    throw error instanceof Error ? new InputError(error.message) : error;
  }
  context.print(snippet(measured));
  const { zones, pairs } = measured;
  const missing = (zones.length * (zones.length - 1)) / 2 - pairs.length;
  if (missing > 0)
    context.say(`${missing} pairs were not measured: crossZone or crossRegion of the scenario holds for them`);
  return EXIT.ok;
}

function snippet({ zones, sameZoneMs, pairs }: MeasuredZones): string {
  const ms = (value: number): string => `${Number(value.toFixed(4))}ms`;
  const lines = [
    '# For spec.cluster of a scenario.',
    'zones:',
    ...zones.map((zone) => `  - ${zone}`),
    'roundTrip:',
    ...(sameZoneMs === null ? [] : [`  sameZone: ${ms(sameZoneMs)}`]),
    pairs.length === 0 ? '  pairs: []' : '  pairs:',
    ...pairs.map(
      ({ between, roundTripMs }) => `    - { between: [${between.join(', ')}], roundTrip: ${ms(roundTripMs)} }`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

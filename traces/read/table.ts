/**
 * Reads CSV text into rows of named cells, keeping line numbers. Three shapes are told apart by the mapping: one header
 * row; several header rows (each names one part of what a column holds, as spreadsheets and data frames write them);
 * rows to skip after the header. A row with too few or too many cells is dropped and counted. Pure.
 */
import { parse } from 'csv-parse/sync';
import type { ReadCounter } from './read-counter.js';

export interface TableColumn {
  /** Position in the row. */
  readonly index: number;
  /** Header cells from top to bottom, by the names the mapping gives to the header rows (`column` when there is one). */
  readonly names: Readonly<Record<string, string>>;
}

export interface TableRow {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

export function parseTable(
  text: string,
  headerRows: readonly string[],
  skipRowsAfterHeader: number,
  counter: ReadCounter,
): Table {
  const records = parse(text, {
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    bom: true,
  }) as unknown as {
    record: string[];
    info: { lines: number };
  }[];
  const headers = records.slice(0, headerRows.length).map(({ record }) => record);
  const width = headers[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, index) => ({
    index,
    names: Object.fromEntries(headerRows.map((name, row) => [name, headers[row]?.[index] ?? ''])),
  }));
  const rows: TableRow[] = [];
  for (const { record, info } of records.slice(headerRows.length + skipRowsAfterHeader)) {
    if (record.length !== width) {
      counter.read();
      counter.drop(`row has ${record.length} cells where the header has ${width}`, info.lines);
    } else rows.push({ line: info.lines, cells: record });
  }
  return { columns, rows };
}

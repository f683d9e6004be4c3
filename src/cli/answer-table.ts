import { withoutControls } from '../support/printable.ts';

/** Answers as lines of CSV (RFC 4180); the first answer determines the header. */
export class AnswerTable {
  #columns: string[] | undefined;

  /** The line of an answer, after the header if it is the first one. */
  lines(answer: object): string[] {
    const fields = new Map(flat(answer));
    const header = this.#columns ? [] : [line([...fields.keys()])];
    this.#columns ??= [...fields.keys()];
    return [...header, line(this.#columns.map((name) => fields.get(name) ?? ''))];
  }
}

/** Nested values get a column with both names: `probabilities.spam`. Lists of texts are joined by `;`. */
function flat(answer: object): [string, string][] {
  return Object.entries(answer).flatMap(([key, value]): [string, string][] => {
    if (Array.isArray(value)) {
      const isPlain = value.every((item) => typeof item !== 'object');
      return [[key, isPlain ? value.join(';') : JSON.stringify(value)]];
    }
    if (typeof value !== 'object' || value === null) return [[key, `${value ?? ''}`]];
    return flat(value).map(([inner, field]) => [`${key}.${inner}`, field]);
  });
}

function line(fields: readonly string[]): string {
  return fields
    .map(withoutControls)
    .map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(',');
}

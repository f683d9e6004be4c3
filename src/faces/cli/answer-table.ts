import { withoutControls } from '../../support/text.ts';

/** Formats answers as lines of CSV (RFC 4180). The first answer determines the header. */
export class AnswerTable {
  #columns: string[] | undefined;

  /** Returns the line of an answer. The first call returns the header too. */
  lines(answer: object): string[] {
    const fields = new Map(flat(answer));
    const header = this.#columns ? [] : [line([...fields.keys()])];
    this.#columns ??= [...fields.keys()];
    return [...header, line(this.#columns.map((name) => fields.get(name) ?? ''))];
  }
}

/** Nested keys are joined to a column name: `probabilities.spam`. Lists of texts are joined by `;`. */
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

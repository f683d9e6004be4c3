/** HTML or SVG text. All content from outside is escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Content = Markup | string | number | false | undefined | readonly Content[];

/**
 * Template tag that escapes all values except {@link Markup}. Lists are joined; `false` and undefined give an empty
 * text.
 */
export function markup(parts: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(parts.map((part, i) => part + (i < values.length ? formatText(values[i]) : '')).join(''));
}

/** JSON as the content of a script element. */
export function jsonMarkup(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll('<', '\\u003c'));
}

function formatText(value: Content): string {
  if (value instanceof Markup) return value.text;
  if (value === undefined || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeXml(`${value}`);
  return value.map(formatText).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const MAY_STAND = '\t\n\r';

// XML does not allow most control characters. Other programs could not open a figure that contains one.
function escapeXml(text: string): string {
  return text
    .replace(/\p{Cc}/gu, (control) => (MAY_STAND.includes(control) ? control : '\ufffd'))
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

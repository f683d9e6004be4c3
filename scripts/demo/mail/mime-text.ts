/** The visible content of an e-mail. */
export interface Letter {
  subject: string;
  body: string;
  isHtml: boolean;
}

interface Part {
  headers: ReadonlyMap<string, string>;
  body: string;
}

/** Maximum depth of nested parts. The deepest in the corpus has 3. */
const MAX_DEPTH = 8;

/**
 * The subject and text of an e-mail (RFC 5322 and 2045 to 2047): its first plain part, or else its first HTML
 * part, without attachments. A damaged message is read as far as possible.
 *
 * @param source the message, one character per byte
 */
export function mimeText(source: string): Letter {
  const message = splitPart(source.replaceAll('\r\n', '\n'));
  const parts = textParts(message, 0);
  const part = parts.find(({ headers }) => !isHtml(headers)) ?? parts[0];
  return {
    subject: decodeWords(message.headers.get('subject') ?? ''),
    body: part ? decodeBody(part) : '',
    isHtml: part !== undefined && isHtml(part.headers),
  };
}

function splitPart(source: string): Part {
  const end = source.startsWith('\n') ? 0 : source.indexOf('\n\n');
  const head = end < 0 ? source : source.slice(0, end);
  const lines = head.replace(/\n[ \t]+/g, ' ').split('\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && !headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), value!);
  }
  return { headers, body: end < 0 ? '' : source.slice(end).replace(/^\n+/, '') };
}

function textParts(part: Part, depth: number): Part[] {
  const type = part.headers.get('content-type') ?? 'text/plain';
  if (/attachment/i.test(part.headers.get('content-disposition') ?? '')) return [];
  if (/^multipart\//i.test(type) && depth < MAX_DEPTH) {
    const boundary = parameter(type, 'boundary');
    if (boundary === undefined) return [];
    const [, ...inner] = `\n${part.body}`.split(`\n--${boundary}`);
    return inner
      .filter((text) => !text.startsWith('--'))
      .flatMap((text) => textParts(splitPart(text.replace(/^[^\n]*\n/, '')), depth + 1));
  }
  return /^(text\/|multipart\/|\s*$)/i.test(type) || !type.includes('/') ? [part] : [];
}

function isHtml(headers: ReadonlyMap<string, string>): boolean {
  return /text\/html/i.test(headers.get('content-type') ?? '');
}

function decodeBody({ headers, body }: Part): string {
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? '';
  const charset = parameter(headers.get('content-type') ?? '', 'charset');
  if (encoding.includes('base64')) return fromCharset(Buffer.from(body, 'base64'), charset);
  const bytes = encoding.includes('quoted-printable') ? unquoted(body.replace(/=[ \t]*\n/g, '')) : body;
  return fromCharset(Buffer.from(bytes, 'latin1'), charset);
}

/** Decodes words such as `=?iso-8859-1?Q?Andr=E9?=` in a header. */
function decodeWords(text: string): string {
  return text
    .replace(/(\?=)\s+(=\?)/g, '$1$2')
    .replace(/=\?([\w-]+)\?([qb])\?([^?]*)\?=/gi, (_, charset, kind, word) =>
      kind.toLowerCase() === 'b'
        ? fromCharset(Buffer.from(word, 'base64'), charset)
        : fromCharset(Buffer.from(unquoted(word.replaceAll('_', ' ')), 'latin1'), charset),
    );
}

function unquoted(text: string): string {
  return text.replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Decodes bytes. E-mails may declare nonexistent or wrong character sets, so other character sets are tried too. */
function fromCharset(bytes: Buffer, charset = 'utf-8'): string {
  for (const name of [charset, 'utf-8']) {
    try {
      return new TextDecoder(name, { fatal: true }).decode(bytes);
    } catch {}
  }
  return new TextDecoder('windows-1252').decode(bytes);
}

function parameter(value: string, name: string): string | undefined {
  const match = new RegExp(`${name}\\s*=\\s*(?:"([^"]*)"|([^\\s;]+))`, 'i').exec(value);
  return match?.[1] ?? match?.[2];
}

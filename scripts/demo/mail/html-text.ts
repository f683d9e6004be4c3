const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
  reg: '®',
  trade: '™',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  rsquo: '’',
  lsquo: '‘',
  rdquo: '”',
  ldquo: '“',
  bull: '•',
};

/** The approximate visible text of HTML, without tags, scripts and styles. */
export function htmlText(html: string): string {
  return html
    .replace(/<!--.*?(-->|$)/gs, '')
    .replace(/<(script|style|title)\b.*?(<\/\1\s*>|$)/gis, ' ')
    .replace(/<\/?(p|br|div|tr|td|th|li|ul|ol|h\d|table|hr|center|blockquote)\b[^>]*>/gi, '\n')
    .replace(/<[a-z!/?][^>]*>?/gi, '')
    .replace(/&#(x[\da-f]+|\d+);?/gi, (_, code) => character(code))
    .replace(/&([a-z]+);?/gi, (all, name) => ENTITIES[name.toLowerCase()] ?? all);
}

function character(code: string): string {
  const point = /^x/i.test(code) ? Number.parseInt(code.slice(1), 16) : Number(code);
  return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ' ';
}

/** Adjacent words that form one named entity. */
export interface Entity {
  type: string;
  /** The entity's words are [start, end). */
  start: number;
  end: number;
}

/** A tag's first character and its entity type. */
interface Tag {
  prefix: string;
  type: string;
}

const OUTSIDE = 'O';
const NO_TYPE = '_';

/**
 * The entities that tags mark, equal to seqeval 1.2.2 in its default mode, which follows the CoNLL script. It
 * accepts all schemes with `B-`, `I-`, `E-` and `S-` before a type and `O` outside entities (IOB1, IOB2,
 * IOBES). A tag that does not continue the previous entity begins a new one, even if the scheme forbids it.
 * Tags of another form are split after their first character.
 *
 * @param tags non-empty tags
 */
export function entities(tags: readonly string[]): Entity[] {
  const complete: Entity[] = [];
  let start = 0;
  let before: Tag = { prefix: OUTSIDE, type: '' };
  for (let at = 0; at <= tags.length; at++) {
    const tag = parse(at < tags.length ? tags[at]! : OUTSIDE);
    if (ends(before, tag)) complete.push({ type: before.type, start, end: at });
    if (starts(before, tag)) start = at;
    before = tag;
  }
  return complete;
}

function parse(tag: string): Tag {
  const prefix = String.fromCodePoint(tag.codePointAt(0)!);
  const rest = tag.slice(prefix.length);
  return { prefix, type: rest.slice(rest.indexOf('-') + 1) || NO_TYPE };
}

/** Whether an entity ends between two adjacent tags. */
function ends(before: Tag, { prefix, type }: Tag): boolean {
  if (before.prefix === 'E' || before.prefix === 'S') return true;
  if ((before.prefix === 'B' || before.prefix === 'I') && 'BSO'.includes(prefix)) return true;
  return isPart(before) && before.type !== type;
}

/** Whether an entity starts at `tag`, which follows `before`. */
function starts(before: Tag, tag: Tag): boolean {
  if (tag.prefix === 'B' || tag.prefix === 'S') return true;
  if ((tag.prefix === 'I' || tag.prefix === 'E') && 'ESO'.includes(before.prefix)) return true;
  return isPart(tag) && before.type !== tag.type;
}

/** Whether a tag is inside an entity. The CoNLL script treats a full stop like `O`. */
function isPart({ prefix }: Tag): boolean {
  return prefix !== OUTSIDE && prefix !== '.';
}

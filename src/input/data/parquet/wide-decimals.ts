import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet';

/** Decimal digits that a double represents exactly. */
const MAX_DIGITS = 15;
/** Decimal digits of a 256-bit decimal. */
const MAX_SCALE = 76;

type Rewrite = (value: unknown) => unknown;

/**
 * Changes the metadata for decimals with more than 15 digits, at any depth. The reader then returns them as
 * stored bytes or integers, instead of converting them to doubles.
 *
 * @param treeOf hyparquet's `parquetSchema`
 * @returns the metadata, and for each column with such decimals a function that converts them to text
 * @throws RangeError for decimals in bytes without a fixed length (the reader would treat them as text), with
 * a scale above 76, or as keys of maps
 */
export function withWideDecimals(
  metadata: FileMetaData,
  treeOf: (metadata: FileMetaData) => SchemaTree,
): { metadata: FileMetaData; rewrites: Map<string, Rewrite> } {
  const scales = new Map<SchemaElement, number>();
  const schema = metadata.schema.map((element): SchemaElement => {
    const { converted_type, precision = 0, scale = 0, ...stored } = element;
    if (converted_type !== 'DECIMAL' || precision <= MAX_DIGITS) return element;
    if (element.type === 'BYTE_ARRAY')
      throw new RangeError(`decimals of ${precision} digits and no fixed length in ${element.name}`);
    if (!(scale >= 0 && scale <= MAX_SCALE))
      throw new RangeError(`${scale} digits after the decimal point in ${element.name}`);
    const column = { ...stored, logical_type: undefined };
    scales.set(column, scale);
    return column;
  });
  const integers = { ...metadata, schema };
  const rewrites = scales.size > 0 ? listRewrites(treeOf(integers).children, scales) : new Map();
  return { metadata: integers, rewrites };
}

function listRewrites(nodes: readonly SchemaTree[], scales: ReadonlyMap<SchemaElement, number>) {
  const rewrites = new Map<string, Rewrite>();
  for (const node of nodes) {
    const rewrite = planRewrite(node, scales);
    if (rewrite) rewrites.set(node.element.name, inLists(rewrite));
  }
  return rewrites;
}

/** Converts the wide decimals in values of this part of the schema; undefined if it has none. */
function planRewrite(node: SchemaTree, scales: ReadonlyMap<SchemaElement, number>): Rewrite | undefined {
  const { element, children } = node;
  const scale = scales.get(element);
  if (scale !== undefined) return (value) => decimalText(value, scale);
  const [first, ...others] = children;
  const isOfOne = others.length === 0 && first?.element.repetition_type === 'REPEATED';
  if (isOfOne && element.converted_type === 'LIST' && first.children.length < 2)
    return planRewrite(first.children[0] ?? first, scales);
  if (isOfOne && element.converted_type === 'MAP' && first.children.length === 2) {
    const [ofKey, ofValue] = first.children.map((child) => planRewrite(child, scales));
    if (ofKey)
      throw new RangeError(`keys that are decimals of more than ${MAX_DIGITS} digits in ${element.name}`);
    return ofValue && withEach(() => inLists(ofValue));
  }
  const members = listRewrites(children, scales);
  return members.size > 0 ? withEach((name) => members.get(name)) : undefined;
}

function withEach(rewriteOf: (name: string) => Rewrite | undefined): Rewrite {
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, rewriteOf(name)?.(inner) ?? inner]),
    );
  };
}

/** Applies a rewrite to all values in lists of any depth. */
function inLists(rewrite: Rewrite): Rewrite {
  return (value) => (Array.isArray(value) ? value.map(inLists(rewrite)) : rewrite(value));
}

/** Formats a decimal that is stored as an integer, or as bytes in big-endian two's complement. */
function decimalText(stored: unknown, scale: number): unknown {
  const integer = stored instanceof Uint8Array ? decodeInteger(stored) : stored;
  if (typeof integer !== 'bigint' && !Number.isInteger(integer)) return stored;

  const [, sign, all] = /^(-?)(.*)$/.exec(`${integer}`) ?? [];
  const digits = all!.padStart(scale + 1, '0');
  const at = digits.length - scale;
  return sign + digits.slice(0, at) + (scale > 0 ? `.${digits.slice(at)}` : '');
}

function decodeInteger(bytes: Uint8Array): bigint {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x0${hex}`));
}

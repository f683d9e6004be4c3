import type { FileMetaData, SchemaElement } from 'hyparquet';

/** Digits that a double represents exactly. */
const MOST_DIGITS = 15;
/** Digits of 256-bit decimals. */
const MOST_SCALE = 76;

/**
 * Changes the metadata so that columns of decimals with more than 15 digits are read as their stored bytes or
 * integers, because the reader converts decimals to doubles.
 *
 * @returns the metadata, and the number of decimals of such columns, by name
 * @throws RangeError for bytes without a fixed length, which the reader would treat as text, and for a scale beyond
 * 76 digits
 */
export function withWideDecimals(metadata: FileMetaData): {
  metadata: FileMetaData;
  scales: Map<string, number>;
} {
  const scales = new Map<string, number>();
  // The descendants of the root's children follow each of them.
  let inside = 0;
  const schema = metadata.schema.map((element, i): SchemaElement => {
    const { converted_type, precision = 0, scale = 0, ...stored } = element;
    const isColumn = i > 0 && inside === 0;
    if (i > 0) inside += (element.num_children ?? 0) - (isColumn ? 0 : 1);
    if (!isColumn || converted_type !== 'DECIMAL' || precision <= MOST_DIGITS) return element;
    if (element.type === 'BYTE_ARRAY')
      throw new RangeError(`decimals of ${precision} digits and no fixed length in ${element.name}`);
    if (!(scale >= 0 && scale <= MOST_SCALE))
      throw new RangeError(`${scale} digits behind the point in ${element.name}`);
    scales.set(element.name, scale);
    return { ...stored, logical_type: undefined };
  });
  return { metadata: { ...metadata, schema }, scales };
}

/** A decimal stored as an integer, or as bytes in big-endian two's complement. */
export function decimalText(stored: unknown, scale: number): unknown {
  const integer = stored instanceof Uint8Array ? integerOf(stored) : stored;
  if (typeof integer !== 'bigint' && !Number.isInteger(integer)) return stored;

  const [, sign, all] = /^(-?)(.*)$/.exec(`${integer}`) ?? [];
  const digits = all.padStart(scale + 1, '0');
  const at = digits.length - scale;
  return sign + digits.slice(0, at) + (scale > 0 ? `.${digits.slice(at)}` : '');
}

function integerOf(bytes: Uint8Array): bigint {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x0${hex}`));
}

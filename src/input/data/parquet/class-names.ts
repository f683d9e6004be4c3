/** Class names by column, if classes are stored as numbers: `ClassLabel` features of Hugging Face's datasets. */
export type ColumnClasses = Readonly<Record<string, readonly string[]>>;

/** Reads class names from the entry `huggingface` of a parquet file's metadata. */
export function readClasses(entries: readonly { key: string; value?: string }[] | undefined): ColumnClasses {
  const text = entries?.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return {};
  let features: unknown;
  try {
    features = JSON.parse(text)?.info?.features;
  } catch {
    return {};
  }
  return Object.fromEntries(
    Object.entries(Object(features)).flatMap(([column, feature]) => {
      const names = namesIn(feature);
      return names ? [[column, names]] : [];
    }),
  );
}

/**
 * The class names of a feature: `{names: [...], _type: ClassLabel}`, or in a card `{class_label: {names: {0:
 * ...}}}`. A feature may be in a list. Undefined if a number has no name; then classes stay numbers.
 */
export function namesIn(feature: unknown): readonly string[] | undefined {
  const { _type, names, class_label, feature: inner } = Object(Array.isArray(feature) ? feature[0] : feature);
  if (inner !== undefined) return namesIn(inner);
  const classNames = _type === 'ClassLabel' ? names : Object(class_label).names;
  // Looks up the names 0, 1, 2, … If a number is missing, the list has a gap and is rejected below. Names in the order
  // of the file would belong to the wrong classes.
  const list = Array.isArray(classNames)
    ? classNames
    : Object.keys(Object(classNames)).map((_, id) => classNames[id]);
  const areNames = list.length > 0 && list.every((name) => typeof name === 'string');
  // Two classes with the same name could not be told apart.
  return areNames && new Set(list).size === list.length ? list : undefined;
}

/** Replaces class numbers by names, also in lists. -1 means no label, as in GLUE's test sets. */
export function nameClass(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => nameClass(one, names));
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  return names[Number(value)] ?? (Number(value) === -1 ? null : value);
}

/** How Python loads what makes inputs from texts. */
export const TEXTS_IN_PYTHON = { class: 'AutoTokenizer', name: 'tokenizer' };

/**
 * The line of Python that makes inputs from texts.
 *
 * @param texts expressions, separated by commas
 * @param maxLength number of tokens after which texts are truncated
 * @param cut Python's value of `truncation`
 */
export function textsInPython(texts: string, maxLength?: number, cut = 'True'): string {
  const truncation = maxLength === undefined ? '' : `, truncation=${cut}, max_length=${maxLength}`;
  return `inputs = tokenizer(${texts}${truncation}, return_tensors="pt")`;
}

/** An f-string's part that is the mask. */
export const MASK_IN_PYTHON = '{tokenizer.mask_token}';

/** The line of Python that prints ids as text. */
export function printedInPython(ids: string): string {
  return `print(tokenizer.decode(${ids}, skip_special_tokens=True))`;
}

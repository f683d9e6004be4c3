/** Whether a text is a decimal number that is finite as a 32-bit float. */
export function isNumber(text: string): boolean {
  return (
    /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) && Number.isFinite(Math.fround(Number(text)))
  );
}

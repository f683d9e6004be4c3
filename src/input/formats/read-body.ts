/** Thrown if a response body exceeds its limit. */
export class BodyTooLong extends Error {}

/**
 * Reads a whole response body.
 *
 * @param most the limit in bytes
 * @param likely the declared size in bytes; this much is allocated at once
 * @throws BodyTooLong
 */
export async function readBody(response: Response, most: number, likely: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(Math.min(likely, most));
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    const end = length + part.value.length;
    if (end > most) {
      await reader?.cancel();
      throw new BodyTooLong(`more than ${most} bytes`);
    }
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.min(most, Math.max(end, 2 * bytes.length)));
      grown.set(bytes.subarray(0, length));
      bytes = grown;
    }
    bytes.set(part.value, length);
    length = end;
  }
  return bytes.subarray(0, length);
}

/** A 64-bit hash of numbers as hexadecimal digits: two FNV-1a hashes over their 32-bit patterns. */
export function hashOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): string {
  const words = new Uint32Array(buffer, byteOffset, byteLength / 4);
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < words.length; i++) {
    a = Math.imul(a ^ words[i]!, 0x01000193);
    // A multiplication changes only higher bits, so the high half is mixed into the low half first.
    b = Math.imul(b ^ words[i]! ^ (words[i]! >>> 16), 0x85ebca6b);
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

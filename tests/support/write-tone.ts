/** A WAV file of a tone at 16 kHz. */
export function writeTone(hertz: number, seconds: number): Buffer {
  const count = Math.round(16_000 * seconds);
  const file = Buffer.alloc(44 + count * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + count * 2, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  for (const [at, value] of [1, 1].entries()) file.writeUInt16LE(value, 20 + 2 * at);
  file.writeUInt32LE(16_000, 24);
  file.writeUInt32LE(32_000, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(count * 2, 40);
  for (let i = 0; i < count; i++)
    file.writeInt16LE(Math.round(9000 * Math.sin((2 * Math.PI * hertz * i) / 16_000)), 44 + 2 * i);
  return file;
}

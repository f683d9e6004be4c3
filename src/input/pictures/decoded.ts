import type { Pixels } from './pixels.ts';

/** (a · b) / 255, rounded, with Pillow's integer arithmetic. */
function scaled(product: number): number {
  const sum = product + 128;
  return (sum + (sum >> 8)) >> 8;
}

/** Puts a picture with transparency, [height, width, 4], on white, as pasting it with Pillow does. */
export function onWhite({ width, height, data }: Pixels): Pixels {
  const count = width * height;
  const opaque = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const alpha = data[i * 4 + 3]!;
    for (let c = 0; c < 3; c++) opaque[i * 3 + c] = scaled(data[i * 4 + c]! * alpha + 255 * (255 - alpha));
  }
  return { width, height, data: opaque };
}

/** Converts inks, [height, width, 4], to red, green and blue as Pillow does, without color profiles. */
export function fromInks({ width, height, data }: Pixels): Pixels {
  const count = width * height;
  const converted = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const light = 255 - data[i * 4 + 3]!;
    for (let c = 0; c < 3; c++) converted[i * 3 + c] = Math.max(0, light - scaled(data[i * 4 + c]! * light));
  }
  return { width, height, data: converted };
}

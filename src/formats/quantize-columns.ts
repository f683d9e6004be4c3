/**
 * A matrix [outputs, inputs], row after row, as signed bytes [inputs, outputs] with a scale an output: the largest
 * magnitude of its row over 127.
 *
 * @param row the elements of a row, finite
 */
export function quantizeColumns(
  outputs: number,
  inputs: number,
  row: (output: number) => Float32Array,
): { bytes: Uint8Array; scales: Float32Array } {
  const bytes = new Uint8Array(inputs * outputs);
  const scales = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const values = row(output);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    scales[output] = largest / 127;
    const inverse = largest === 0 ? 0 : 127 / largest;
    for (let i = 0; i < inputs; i++) bytes[i * outputs + output] = Math.round(values[i] * inverse);
  }
  return { bytes, scales };
}

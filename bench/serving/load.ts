import autocannon from 'autocannon';

/** A model's answer to a text: scores by label. */
export type Scores = Readonly<Record<string, number>>;

/** A request with a known answer. */
export interface KnownRequest {
  model: string;
  text: string;
  expected: Scores;
  /** The other right answer, if the model's files are replaced meanwhile. */
  or?: Scores;
}

export interface BlockResult {
  rowsPerSecond: number;
  p50: number;
  p99: number;
  /** Number of answers that differ from the model's own prediction. */
  wrong: number;
  /** Number of responses without scores: refused or failed. */
  failed: number;
}

/** Batching changes a probability only by rounding. Another adapter's answer would differ by whole per cents. */
const float32 = 1e-4;
/** Effect of quantized weights and activations on a probability. */
const int8 = 0.1;
export const TOLERANCES = { float32, int8 };

/**
 * Sends requests over many connections; each connection sends the next one when it has an answer. Checks the
 * answers.
 */
export async function sendBlock(
  url: string,
  requests: readonly KnownRequest[],
  { connections, amount, tolerance }: { connections: number; amount: number; tolerance: number },
): Promise<BlockResult> {
  let [next, wrong, failed] = [0, 0, 0];
  // autocannon rounds its own duration up to a whole second.
  let [startedAt, endedAt] = [0, 0];
  const result = await autocannon({
    url: `${url}/predict`,
    connections,
    // A long timeout, because a busy machine is slow but not broken.
    timeout: 120,
    amount,
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        setupRequest(request, context) {
          if (next === 0) startedAt = performance.now();
          const known = requests[next++ % requests.length]!;
          Object.assign(context, { known });
          return { ...request, body: JSON.stringify({ inputs: known.text, model: known.model }) };
        },
        onResponse(status, body, context) {
          endedAt = performance.now();
          const { known } = context as { known: KnownRequest };
          if (status !== 200) failed++;
          else if (!isKnownAnswer(JSON.parse(body), known, tolerance)) wrong++;
        },
      },
    ],
  });
  return {
    rowsPerSecond: ((amount - failed) / (endedAt - startedAt)) * 1000,
    p50: result.latency.p50,
    p99: result.latency.p99,
    wrong,
    failed: failed + result.errors,
  };
}

/** Whether scores from `/predict` equal those of a model. */
export function isAnswer(
  scores: readonly { label: string; score: number }[],
  expected: Scores,
  tolerance: number,
): boolean {
  return scores.every(({ label, score }) => Math.abs(score - expected[label]!) <= tolerance);
}

/** Whether scores equal those of either state of a model. */
export function isKnownAnswer(
  scores: readonly { label: string; score: number }[],
  { expected, or }: KnownRequest,
  tolerance: number,
): boolean {
  return isAnswer(scores, expected, tolerance) || (or !== undefined && isAnswer(scores, or, tolerance));
}

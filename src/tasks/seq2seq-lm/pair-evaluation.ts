import { groupEqualTexts } from '../../input/data/split-rows.ts';
import type { Evaluation, Scores } from '../../program/example-set.ts';
import { bleu } from '../../scores/metrics/bleu.ts';
import { ROUGE_TYPES, rouge, rougeOfText } from '../../scores/metrics/rouge.ts';
import { bootstrap, meanInterval } from '../../scores/metrics/score-interval.ts';
import { lossEvaluation } from '../language/language-task.ts';
import { withGenerator } from '../language/write-texts.ts';
import type { EncodingContext } from '../prediction.ts';
import { pairExamples } from './pair-examples.ts';
import { writeTargets, writingConfig } from './predict-texts.ts';
import type { Pair, PairData } from './read-pairs.ts';

/**
 * Scores a model by the loss of the targets, with equal weight for each token. With `predict_with_generate`, also by
 * the texts that it generates: ROUGE (0 to 1), BLEU (0 to 100) and `eval_gen_len`, their mean number of tokens.
 */
export function pairEvaluation(
  pairs: readonly Pair[],
  context: EncodingContext<PairData>,
  batchSize: number,
): Evaluation {
  const examples = pairExamples(pairs, context);
  const byLoss = lossEvaluation(examples, batchSize);
  if (context.reading.predict_with_generate) writingConfig(context);
  return {
    ...byLoss,
    async run(program, values, watch): Promise<Scores> {
      const writes = context.reading.predict_with_generate;
      const scores = await byLoss.run(program, values, writes ? undefined : watch);
      const eval_loss = scores.eval_loss!;
      if (!writes) return { eval_loss };
      const sources = pairs.map(({ source }) => source);
      const written = await withGenerator(program, values, context, (generator) =>
        writeTargets(generator, program.communicator, sources, context, batchSize),
      );
      const texts = written.map(({ text }) => text);
      const targets = pairs.map((pair) => pair.targets);
      const groups = groupEqualTexts(sources.map((source) => [source]));
      watch?.onAnswers?.(texts, targets);
      watch?.onCertainty?.({
        groups,
        interval(score) {
          if (score === 'bleu')
            return bootstrap(groups, (rows) => {
              const of = <T>(all: readonly T[]) => Array.from(rows, (row) => all[row]!);
              return bleu(of(texts), of(targets));
            });
          const type = ROUGE_TYPES.find((name) => name === score);
          if (!type) return undefined;
          const each = texts.map((text, i) => rougeOfText(text, targets[i]!)[type].fmeasure);
          return meanInterval(each, groups);
        },
      });
      const { rouge1, rouge2, rougeL, rougeLsum } = rouge(texts, targets);
      return {
        eval_loss,
        eval_rouge1: rouge1,
        eval_rouge2: rouge2,
        eval_rougeL: rougeL,
        eval_rougeLsum: rougeLsum,
        eval_bleu: bleu(texts, targets),
        eval_gen_len: written.reduce((sum, { ids }) => sum + ids.length, 0) / written.length,
      };
    },
  };
}

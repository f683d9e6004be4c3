import { parseRobertaConfig, robertaFamily } from '../roberta/definition.ts';

/** Default vocabulary size. */
const VOCABULARY = { vocab_size: 30522 };

/** XLM-RoBERTa (Conneau et al., 2020): RoBERTa with a vocabulary of a hundred languages. */
export const xlmRoberta = robertaFamily('xlm-roberta', 'XLMRoberta', (json, where) =>
  parseRobertaConfig({ ...VOCABULARY, ...(json as object) }, where),
);

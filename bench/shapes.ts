/** What is measured: a BERT shape, a batch, a method. Field names are those of the line protocol of the step servers. */
export interface BenchCase {
  name: string;
  shape: {
    hidden_size: number;
    num_hidden_layers: number;
    num_attention_heads: number;
    intermediate_size: number;
    vocab_size: number;
    max_position_embeddings: number;
  };
  method: 'adalora' | 'lora';
  r: number;
  batch: number;
  length: number;
  dropout: number;
}

const bertBase = {
  hidden_size: 768,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 3072,
  vocab_size: 30522,
  max_position_embeddings: 512,
};
const miniLm = { ...bertBase, hidden_size: 384, intermediate_size: 1536 };

const sizes = [
  { name: 'BERT-base x 6, 16 x 128', shape: bertBase, batch: 16, length: 128 },
  { name: 'MiniLM, 32 x 32', shape: miniLm, batch: 32, length: 32 },
  { name: 'MiniLM, 32 x 64', shape: miniLm, batch: 32, length: 64 },
];

/** Every size under both methods, rank 12 on the six matrices. */
export function benchCases(dropout: number): BenchCase[][] {
  return sizes.map((size) =>
    (['adalora', 'lora'] as const).map((method) => ({ ...size, method, r: 12, dropout })),
  );
}

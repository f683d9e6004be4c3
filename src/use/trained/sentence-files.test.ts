import { describe, expect, it } from 'vitest';
import { sentenceFiles, sentenceSettings } from './sentence-files.ts';

const moduleOf = (type: string, path: string) => ({ idx: 0, name: path, path, type: `a.b.${type}` });
const MODULES = [moduleOf('Transformer', ''), moduleOf('Pooling', '1_Pooling')];
const read = (files: Readonly<Record<string, unknown>>) => (name: string) => files[name];
const settingsOf = (files: Readonly<Record<string, unknown>>) =>
  sentenceSettings(read({ 'modules.json': MODULES, '1_Pooling/config.json': {}, ...files }), 'model');

describe('the files of sentence-transformers', () => {
  it('are missing for a model without modules.json', () => {
    expect(sentenceSettings(read({}), 'model')).toBeUndefined();
  });

  it.each([
    [{ pooling_mode: 'lasttoken' }, 'lasttoken'],
    [{ pooling_mode_cls_token: true, pooling_mode_mean_tokens: false }, 'cls'],
    [{ pooling_mode_mean_tokens: true, pooling_mode_max_tokens: false }, 'mean'],
    [{}, 'mean'],
  ])('set the pooling of vectors: %s', (config, mode) => {
    const settings = settingsOf({ '1_Pooling/config.json': config });
    expect(settings).toMatchObject({ pooling: { mode, normalize: false } });
    expect(settings!.unsupported).toBeUndefined();
  });

  it('set lengths and prompts', () => {
    const settings = settingsOf({
      'modules.json': [...MODULES, moduleOf('Normalize', '2_Normalize')],
      'sentence_bert_config.json': { max_seq_length: 256, do_lower_case: false },
      'config_sentence_transformers.json': { prompts: { query: 'q: ' }, default_prompt_name: 'query' },
    });
    expect(settings).toEqual({
      pooling: { mode: 'mean', normalize: true },
      prompts: { query: 'q: ' },
      defaultPrompt: 'query',
      maxLength: 256,
    });
  });

  it('set lengths by the names of older versions', () => {
    const limit = (max_seq_length: number) => ({ max_seq_length });
    expect(settingsOf({ 'sentence_roberta_config.json': limit(128) })).toMatchObject({ maxLength: 128 });
    const both = { 'sentence_bert_config.json': limit(64), 'sentence_albert_config.json': limit(128) };
    expect(settingsOf(both)).toMatchObject({ maxLength: 64 });
  });

  it.each([
    [{ 'config_sentence_transformers.json': { truncate_dim: 8 } }, /truncate_dim/],
    [{ 'config_sentence_transformers.json': { default_prompt_name: 'query' } }, /default_prompt_name/],
    [{ '1_Pooling/config.json': { pooling_mode: 'max' } }, /pooling by max/],
    [{ '1_Pooling/config.json': { pooling_mode: ['mean', 'cls'] } }, /pooling by mean and cls/],
    [{ '1_Pooling/config.json': { include_prompt: false } }, /without the prompt/],
    [{ '1_Pooling/config.json': undefined }, /no 1_Pooling\/config\.json/],
    [{ 'modules.json': [...MODULES, moduleOf('Dense', '2_Dense')] }, /type Dense/],
    [{ 'modules.json': [moduleOf('Transformer', '0_Transformer')] }, /folder 0_Transformer/],
    [{ 'sentence_bert_config.json': { do_lower_case: true } }, /do_lower_case/],
  ])('reveal an unsupported feature: %j', (files, expected) => {
    expect(settingsOf(files)!.unsupported).toMatch(expected);
  });

  it('are reported if damaged', () => {
    expect(() => settingsOf({ 'modules.json': { a: 1 } })).toThrow(/model\/modules\.json/);
    expect(() => settingsOf({ 'config_sentence_transformers.json': { prompts: 3 } })).toThrow(
      /config_sentence_transformers\.json/,
    );
  });

  it.each(['mean', 'cls', 'lasttoken'] as const)('are written as they are read: %s', (mode) => {
    const sentence = {
      pooling: { mode, normalize: mode === 'cls' },
      prompts: { query: 'q: ' },
      defaultPrompt: 'query',
      maxLength: 100,
      similarity: 'dot',
    };
    const model = { headKind: 'FEATURE_EXTRACTION', config: { numLabels: 8, maxLength: 512, sentence } };
    const files = sentenceFiles(model as never);
    const json = (name: string) => (files.has(name) ? JSON.parse(files.get(name)!) : undefined);
    expect(sentenceSettings(json, 'model')).toEqual(sentence);
    expect(sentenceFiles({ ...model, headKind: 'SEQ_CLS' } as never).size).toBe(0);
  });
});

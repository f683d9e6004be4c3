import { expect, it } from 'vitest';
import { nameTaskType } from './task-type.ts';

it.each<[string, string | null]>([
  ['BertForSequenceClassification', 'SEQ_CLS'],
  ['LlamaForCausalLM', 'CAUSAL_LM'],
  ['GPT2LMHeadModel', 'CAUSAL_LM'],
  ['BartForConditionalGeneration', 'SEQ_2_SEQ_LM'],
  ['BertForQuestionAnswering', 'QUESTION_ANS'],
  ['BertForMaskedLM', null],
])('an AdapterHub adapter of a %s is for %s', (model_class, taskType) => {
  expect(nameTaskType({ config: { model_class } })).toBe(taskType);
  expect(nameTaskType({ config: { model_class: 'BertModel' }, head: { model_class } })).toBe(taskType);
});

it('an exchangeable head has a task type', () => {
  const of = (head_type: string) =>
    nameTaskType({ config: { model_class: 'BertAdapterModel' }, head: { config: { head_type } } });
  expect(of('question_answering')).toBe('QUESTION_ANS');
  expect(of('multilabel_classification')).toBe('SEQ_CLS');
  expect(of('image_classification')).toBeNull();
});

it("PEFT's files state it", () => {
  expect(nameTaskType({ config: { peft_type: 'LORA', task_type: 'TOKEN_CLS' } })).toBe('TOKEN_CLS');
  expect(nameTaskType({ config: { peft_type: 'LORA', task_type: null } })).toBeNull();
});

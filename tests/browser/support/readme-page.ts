import { open, train } from 'adalora/web';

const input = document.querySelector('input') as HTMLInputElement;
input.addEventListener('change', async () => {
  const [file] = input.files ?? [];
  if (!file) return;
  const trained = await train(
    {
      data: { train: 'rows.tsv', text: 'sentence', label: 'label' },
      training: { max_steps: 30, per_device_train_batch_size: 8 },
      adalora: { target_r: 4, tinit: '10%', tfinal: '40%' },
    },
    { files: { 'rows.tsv': file }, onEvent: (event) => console.log(event.type, event.step) },
  );
  console.log(trained.ranks);

  const model = await open(trained);
  for await (const { label, probabilities } of model.predict([{ text: 'the cat sat good.' }]))
    console.log(label, probabilities);
  await model.close();
});

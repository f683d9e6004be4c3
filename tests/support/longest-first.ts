import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The test files that take the most processor time, the longest first, so that no core runs a long one alone at the
 * end. Other files follow in vitest's order: by previous time, or by size.
 */
const LONGEST = [
  'tests/browser/train-in-page.test.ts',
  'tests/browser/web.test.ts',
  'tests/readme-code.test.ts',
  'tests/contracts/bases.test.ts',
  'tests/pack.test.ts',
  'tests/mpi.test.ts',
  'tests/demo.test.ts',
  'tests/resume.test.ts',
  'tests/library.test.ts',
  'tests/learns-few-rows.test.ts',
  'tests/serve.test.ts',
  'tests/browser/report.test.ts',
  'tests/worst-files.test.ts',
  'tests/calibrated.test.ts',
  'tests/large.test.ts',
  'tests/conformance.test.ts',
  'tests/sweep.test.ts',
  'tests/ablations.test.ts',
  'tests/own-loss.test.ts',
  'tests/page-checkpoint.test.ts',
  'tests/soft-labels.test.ts',
  'tests/speech.test.ts',
  'tests/sounds.test.ts',
  'tests/demo-data.test.ts',
  'tests/chosen.test.ts',
  'tests/bottleneck.test.ts',
  'tests/definitions.test.ts',
  'tests/resume-methods.test.ts',
  'tests/few-rows.test.ts',
  'tests/threads.test.ts',
  'tests/recipes.test.ts',
  'tests/train.test.ts',
  'tests/compare.test.ts',
  'tests/question-families.test.ts',
  'tests/first-week.test.ts',
  'tests/onnx-export.test.ts',
  'tests/reproduce.test.ts',
  'tests/token-classification.test.ts',
  'tests/trackers.test.ts',
  'tests/image-rows.test.ts',
  'tests/bundle.test.ts',
  'tests/language.test.ts',
  'src/program/gradient-checkpointing.test.ts',
  'src/faces/cli/main.test.ts',
  'src/program/objectives/loss-in-parts.test.ts',
  'src/studies/jobs/contenders/fit-rows.test.ts',
  'src/input/text/tokenizer.test.ts',
];

/**
 * Sorts test files by project, because the files of a project share a process. In each project, the longest come first.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId, project }: TestSpecification) => {
      const at = LONGEST.indexOf(relative(project.config.root, moduleId));
      return at < 0 ? LONGEST.length : at;
    };
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((project) =>
      sorted.filter((file) => file.project === project).sort((a, b) => place(a) - place(b)),
    );
  }
}

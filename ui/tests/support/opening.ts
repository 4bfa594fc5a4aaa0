// An opening that is under way.

import type { ErrorEnvelope, Reply } from '$api';
import type { Stage } from './browser.js';
import { later } from './core.js';

/** Turns HTTPS on and hides the sheet. How that ends is given later, by what comes back. */
export async function turnOnHidden(stage: Stage): Promise<ReturnType<typeof later<Reply | ErrorEnvelope>>> {
  const answer = later<Reply | ErrorEnvelope>();
  stage.core.answers.open = () => answer.promise;
  await stage.press('Open to My Network…', 'Review…', 'Turn On', 'Hide');
  await stage.page.getByRole('dialog').waitFor({ state: 'detached' });
  return answer;
}

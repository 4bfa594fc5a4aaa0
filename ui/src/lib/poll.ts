/** Asks at once and then every so many milliseconds, one after another; a question that fails is asked again. Ends with what it returns. */
export function every(ms: number, ask: () => Promise<unknown>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const round = async () => {
    try {
      await ask();
    } catch {
      // The next round tells.
    }
    if (!ended) timer = setTimeout(round, ms);
  };
  void round();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Skeletons wait this long: an answer that comes sooner is shown without a flash of grey. */
export const SKELETON_DELAY_MS = 150;

/** Becomes true `ms` after the component using it was mounted. Call during component initialisation. */
export function delayed(ms: number): { readonly passed: boolean } {
  let passed = $state(false);
  $effect(() => {
    const timer = setTimeout(() => {
      passed = true;
    }, ms);
    return () => {
      clearTimeout(timer);
    };
  });
  return {
    get passed() {
      return passed;
    },
  };
}

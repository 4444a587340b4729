import { useEffect } from 'react';

/** The window's title while a page is shown. It is set after the shell's own, which names the group of pages. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    if (!title) return;
    const timer = setTimeout(() => {
      document.title = `${title} · Weir`;
    });
    return () => clearTimeout(timer);
  }, [title]);
}

/** The mark: water over a weir. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden style={{ flex: 'none' }}>
      <rect width="32" height="32" rx="7" fill="var(--w-accent)" />
      <path
        d="M6 12c3.300 0 3.300 3 6.700 3S16 12 19.300 12s3.400 3 6.700 3M6 19c3.300 0 3.300 3 6.700 3s3.300-3 6.600-3 3.400 3 6.700 3"
        fill="none" stroke="var(--w-on-accent)" strokeWidth="2.600" strokeLinecap="round"
      />
    </svg>
  );
}

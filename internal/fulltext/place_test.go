package fulltext

import (
	"slices"
	"testing"
)

func TestPlacesLieByEraThenSession(t *testing.T) {
	const era = 1 << eraBits
	want := []Place{
		{Session: 1, N: FirstEra + 5}, {Session: 1, N: FirstEra + era - 1}, {Session: 9, N: FirstEra}, // the first era
		{Session: 0, N: FirstEra + era}, {Session: 9, N: FirstEra + era + 1}, // the second
		{Session: 1 << 20, N: 3}, {Session: 1 << 20, N: 4}, {Session: 1 << 21, N: 2}, // from before there were eras
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Place.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
}

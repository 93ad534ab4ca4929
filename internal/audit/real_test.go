// SPDX-License-Identifier: MIT

package audit

import (
	"context"
	"testing"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/seed"
)

// nothingMade knows of no artefacts.
func nothingMade(context.Context, string, string) ([]Artefact, error) { return nil, nil }

// answersMade knows the digests of seed/ARCH/answers.
func answersMade(plan *chain.Plan) Made {
	return func(_ context.Context, stage, export string) ([]Artefact, error) {
		if sum, ok := plan.Answers[stage+"/"+export]; ok {
			return []Artefact{{SHA256: sum, From: "answers"}}, nil
		}
		return nil, nil
	}
}

func TestSeedPassesTheAudit(t *testing.T) {
	plan, err := chain.Load("seed", seed.Files(), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(context.Background(), plan, answersMade(plan))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Problems {
		t.Errorf("Run: %s", p)
	}
	if len(report.Seed) == 0 || len(report.Listings) < 3 || len(report.Texts) == 0 {
		t.Errorf("Run = %d binaries, %d listings, %d texts; want 1, 3 and some", len(report.Seed), len(report.Listings),
			len(report.Texts))
	}
}

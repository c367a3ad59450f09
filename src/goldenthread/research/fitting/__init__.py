"""Parameters chosen on history: suggested one after another, and judged on what came later."""

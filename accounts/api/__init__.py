"""What every JSON endpoint shares: keys, scopes of access, cursors, problem details."""

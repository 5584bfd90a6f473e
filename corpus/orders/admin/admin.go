// Package admin is what docs/rules.md has its worked example of.
package admin

//go:noinline
func Allow(user string) (bool, string, error) {
	return user != "", "welcome, " + user, nil
}
